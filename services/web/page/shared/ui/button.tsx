import type { ButtonHTMLAttributes } from 'react';
import styles from './button.module.css';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `danger` ends something that cannot be taken back. */
  kind?: 'plain' | 'primary' | 'danger' | 'bare';
  size?: 'normal' | 'small' | 'large';
}

export function Button({
  kind = 'plain',
  size = 'normal',
  className = '',
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={`${styles.button} ${styles[kind]} ${styles[size]} ${className}`}
      {...rest}
    />
  );
}
